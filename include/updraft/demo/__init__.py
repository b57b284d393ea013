"""The demo: a year of real flights, published day by day, and a model's life on them."""
