"""How near does a search in latent space come?"""
