"""How fast does a recipe train?"""
