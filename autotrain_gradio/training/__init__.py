"""What the tasks' `train.py` files share: arguments, the fit, images, metrics. Workers only."""
