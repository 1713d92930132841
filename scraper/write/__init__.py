"""From a row to the disk: encoding, in the workers; files and bodies, by the writer thread and beside the loop."""
