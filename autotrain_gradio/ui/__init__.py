"""The Gradio page, one module per part. The tab of a task is built from the task's declaration."""
