"""What is learnt: for each kind of network its batches and its loss."""
