"""What people say in each language that the grammar reads.

A line is a concept (a ``lexicon.Kind`` and its value) and the phrases that stand for it.
"""
