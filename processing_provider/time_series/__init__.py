"""Time series on a click: a map tool and a dock that draws what a stack holds at a place."""
