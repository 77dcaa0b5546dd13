"""Training: photographs with exact masks in, weights of the refiner out.

Pairs are decoded once into flat memory (``pairs``, ``distance``, ``store``); every batch is then made from it on the
device: where to look (``views``), what mistakes the coarse mask has (``edges``, ``regions``), how the photograph was
taken (``photometric``). ``loop`` optimises, ``validation`` measures, ``checkpoint`` stops and resumes.
"""
