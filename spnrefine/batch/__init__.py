"""Many masks, as files or as items of an annotation file: worked through by several threads, resumed from a ledger."""
