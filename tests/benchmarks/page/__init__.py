"""How long does a visitor of the page wait, and what does the page cost?"""
