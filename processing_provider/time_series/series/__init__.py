"""What a stack holds at a place: read, averaged, turned into displacement, put into tables."""
