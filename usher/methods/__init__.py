"""One room for each way in; rooms do not know each other, and each ends in an ``entry`` at the door."""
