// The elements of the Train tab.
