"""The pages of changesets and of tracked objects in the admin; domain modules do not import them."""
