"""What a run and a server must survive, as commands that take their time; a short version of each is in the
suite.
"""
