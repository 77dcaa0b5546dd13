"""The refining network: a guidance network that predicts gates, and the propagation that applies them."""
