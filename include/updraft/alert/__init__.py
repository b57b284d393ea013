"""What people are told, and how it is remembered that they were.

`kinds` says what each kind of alert means, `alert` is one as a value, `render` and `chart` show it, `outbox` keeps
it in the lake until everybody who is to know of it does.
"""
