"""The pages: each asks the newsstand, shapes what a template needs, and shows it; each form does one thing and goes back."""
