"""How the model was made: ``python -m facewire_textmood.train --data FOLDER``."""
