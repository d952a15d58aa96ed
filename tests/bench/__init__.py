"""What a basic call costs: the server beside a floor below which no server on this loop can go."""
