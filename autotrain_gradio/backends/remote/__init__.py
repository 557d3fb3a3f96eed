"""Training on a machine that is rented by the second: what all remote backends share.

A remote backend is a `RemoteBackend` with an `Engine` (`engine.py`), which rents machines and stores files. For each
attempt the app uploads a *package* (`package.py`): the run's directory and this app as a wheel. On the machine, the
`agent` restores the directory, trains with the local backend, and writes immutable *segments* (`segments.py`) with the
events and the log, beside the files of the run. A `Monitor` thread of the app (`monitor.py`) polls the machine, and
merges the segments into the run (`merge.py`). What it knows is in `backend.json` (`record.py`), so that another process
can continue after a restart.
"""
