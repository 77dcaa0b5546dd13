"""The three-way linear propagation of spatial propagation networks, as an operator for torch.

``scan`` runs one direction, ``propagate`` all four and keeps the elementwise maximum::

    h[k,t] = (1 - a - b - c) x[k,t] + a h[k-1,t-1] + b h[k,t-1] + c h[k+1,t-1]
"""
