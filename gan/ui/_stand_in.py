class Store:
    def __init__(self, root):
        self.root = root


class Supervisor:
    def __init__(self, store):
        self.store = store

    def start(self):
        pass

    def close(self):
        pass
