"""Where trainings run: one module a backend, and the queue."""
