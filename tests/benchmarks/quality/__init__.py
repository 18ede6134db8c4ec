"""How good is a generator after some minutes?"""
