"""The worker process: the only process that loads heavy libraries. Started as `python -m autotrain_gradio.worker`."""
