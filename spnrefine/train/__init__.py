"""Training: photographs with exact masks in, weights of the refiner out.

Pairs are decoded once into flat memory (``pairs``, ``unions``, ``redrawn``, ``distance``, ``store``); every batch is
then made from it on the device: where to look (``views``), what is to be seen there (``scene``: the photograph itself,
a cut-out or strokes on it), what mistakes the coarse mask has (``edges``, ``shapes``, ``resolution``, ``regions``), how
the photograph was taken (``photometric``), what the network is told of the mask (``told``). ``loop`` optimises,
``validation`` measures, ``checkpoint`` stops and resumes.
"""
