"""The only rooms that touch the world: files, processes, the network, the clock, facts about this host."""
