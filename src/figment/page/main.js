// The page begins here: what it was given to show, and by whom its pictures are drawn.
