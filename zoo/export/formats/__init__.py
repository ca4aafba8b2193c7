"""The formats that ship; a module here is found by itself and registers its own. Runtimes are imported in use."""
