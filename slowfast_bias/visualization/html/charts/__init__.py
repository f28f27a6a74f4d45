"""Small SVG figures whose text and colours are the page's own."""
