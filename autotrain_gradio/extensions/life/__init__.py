"""The LiFE App (Linguistic Field data management and analysis Environment) as a source of transcribed speech.

What is read is the app's model: a *project* holds recordings; a recording has transcripts in several *scripts*
(writing systems), and those once for each annotator and once as they stand at present (`latest`).

`choices` is light and knows what can be chosen. `source` fetches and answers the picker, in a worker. In between:
`documents` reads recordings and replaces all names of people, `formats` and `tiers` read exports, `client` and
`server` talk to a LiFE, `store` keeps in the draft what was read.
"""
