// The elements of the Explore tab.
