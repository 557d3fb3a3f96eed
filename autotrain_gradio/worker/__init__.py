"""The worker process, the only one that imports torch: `python -m autotrain_gradio.worker`."""
