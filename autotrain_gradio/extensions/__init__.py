"""Extensions that come with the app. Each is a folder that plugs in through the public extension points only."""
