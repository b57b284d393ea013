"""What a query reads, and whether it would give the same answer tomorrow; read off DuckDB's own syntax tree."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from updraft.errors import FeaturesInvalid, SpecInvalid, did_you_mean
from updraft.spec import shared
from updraft.spec.model import UseCase

THIS_PARTITION = "this_partition"
_OF_A_ROW = {
    "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "OPERATOR",
    "TYPE",
}  # fmt: skip
_TABLE_FUNCTIONS = {"unnest", "range", "generate_series"}
_CLOCKS_WITHOUT_BRACKETS = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
_CLOCKS_AND_DICE = _CLOCKS_WITHOUT_BRACKETS | {
    "now", "today", "age", "ago", "get_current_time", "get_current_timestamp", "transaction_timestamp",
    "pg_conf_load_time", "pg_postmaster_start_time", "random", "setseed", "uuid", "uuidv4", "uuidv7",
    "gen_random_uuid", "nextval", "currval", "setval", "getenv", "getvariable", "current_setting",
    "current_query", "current_query_id", "current_transaction_id", "current_connection_id", "txid_current",
    "sleep_ms", "pg_sleep", "write_log",
}  # fmt: skip


def sources_of(case: UseCase, sql: str, where: str) -> list[str]:
    """Sources that a query reads, sorted.

    :param where: File the query stands in, for messages.
    :raises FeaturesInvalid: If it is not one SELECT over the use case's sources, or asks for the time or for chance.
    """
    named, own = _named(sql, where)
    there = {*case.sources, *shared.read_by(case)}
    for table in sorted(named - own - {THIS_PARTITION} - there):
        raise _refused(where, f"reads {table!r}, which is no source of {case.name}; {did_you_mean(table, there)}")
    return sorted(named & set(case.sources))


@lru_cache(maxsize=64)
def _named(sql: str, where: str) -> tuple[frozenset[str], frozenset[str]]:
    """Tables that a query names, and those it defines itself."""
    tree = _parsed(sql, where)
    named = set()
    for node in _nodes(tree):
        _refuse_clocks(node, where)
        if node.get("type") == "TABLE_FUNCTION" and node["function"]["function_name"] not in _TABLE_FUNCTIONS:
            raise _refused(where, f"calls the table function {node['function']['function_name']}()")
        if node.get("type") == "BASE_TABLE":
            if node["schema_name"] or node["catalog_name"]:
                raise _refused(where, f"names {node['schema_name']}.{node['table_name']}")
            named.add(node["table_name"])
    return frozenset(named), frozenset(entry["key"] for entry in _ctes(tree))


def columns_of(sql: str, columns: Sequence[str], where: str) -> list[str]:
    """Columns that a condition over a single row reads, in their order.

    :param columns: Columns a row has.
    :param where: What the condition is called, for messages.
    :raises SpecInvalid: If it is not one expression over these columns, or asks for the time or for chance.
    """
    try:
        # The line ends keep a comment from hiding the bracket.
        expression = _alone(_parsed(f"SELECT (\n{sql}\n)", where), where)
        for node in _nodes(expression):
            _refuse_clocks(node, where)
            if node.get("class", "FUNCTION") not in _OF_A_ROW or node.get("function_name") == "unnest":
                raise _refused(where, f"has a {node.get('class', '').lower() or 'part'} that is not about one row")
        named = [".".join(node["column_names"]) for node in _nodes(expression) if node.get("class") == "COLUMN_REF"]
    except FeaturesInvalid as refused:
        raise _no_condition(refused.what) from refused
    known = {column.casefold(): column for column in columns}
    if strangers := [name for name in named if name.casefold() not in known]:
        hint = did_you_mean(strangers[0][:80], columns)
        raise _no_condition(f"{where} reads {strangers[0][:80]!r}, which is no column of the source; {hint}.")
    read = {known[name.casefold()] for name in named}
    return [column for column in columns if column in read]


def _alone(tree: dict[str, Any], where: str) -> dict[str, Any]:
    """The expression that is all a query selects."""
    node = tree["statements"][0]["node"]
    rest = {"where_clause", "group_expressions", "group_sets", "having", "sample", "qualify", "modifiers"}
    lone = node["type"] == "SELECT_NODE" and len(node["select_list"]) == 1 and node["from_table"]["type"] == "EMPTY"
    if not lone or any(node[part] for part in rest) or node["cte_map"]["map"]:
        raise _refused(where, "is more than one expression")
    expression: dict[str, Any] = node["select_list"][0]
    return expression


def _no_condition(what: str) -> SpecInvalid:
    return SpecInvalid(what, next_step="write one condition over the columns of a row, such as `departure < arrival`.")


def shared_of(case: UseCase, sql: str, where: str) -> list[str]:
    """Shared feature sets that a query reads, sorted."""
    sources_of(case, sql, where)
    return sorted(_named(sql, where)[0] & set(shared.read_by(case)))


def columns_by_source(case: UseCase, sql: str, where: str) -> dict[str, frozenset[str]]:
    """Columns of each source that a query can tell are there; all of them where it takes rows whole.

    A column counts as named when its name stands anywhere in a SELECT from the source, parts of that SELECT and what
    it joins included, so a name means the same without the others. No other SELECT can see the source's columns.
    """
    said, whole = _taken(sql, where)
    read = set(sources_of(case, sql, where))
    every = {name: (*declared.columns, "event_time", "known_at") for name, declared in case.sources.items()}
    return {
        name: frozenset(c for c in every[name] if name in whole or c in said.get(name, ()))
        for name in case.sources
        if name in read
    }


@lru_cache(maxsize=64)
def _taken(sql: str, where: str) -> tuple[dict[str, set[str]], frozenset[str]]:
    """By table, the words that may name its columns; and the tables of which the query takes every column."""
    tree = _parsed(sql, where)
    return _words_beside(tree), frozenset(_taken_whole(tree))


def _words_beside(tree: Any) -> dict[str, set[str]]:
    """By table, every text in the SELECTs whose FROM holds it."""
    said: dict[str, set[str]] = {}
    for node in _nodes(tree):
        for table in _tables(node["from_table"]) if node.get("type") == "SELECT_NODE" else ():
            said.setdefault(table["table_name"], set()).update(word.casefold() for word in _words(node))
    return said


def _taken_whole(tree: Any) -> set[str]:
    """Tables of which a query takes every column, or may: by a star, by position, or by what two tables share."""
    nodes = list(_nodes(tree))
    whole: set[str] = set()
    names = {node["column_names"][-1].casefold() for node in nodes if node.get("class") == "COLUMN_REF"}
    for node in nodes:
        kind = node.get("type")
        if kind in ("PIVOT", "SHOW_REF") or node.get("ref_type") == "NATURAL":
            return {table["table_name"] for table in _tables(tree)}
        inside = _nodes({part: held for part, held in node.items() if part != "cte_map"})
        if kind == "SELECT_NODE" and any(inner.get("class") == "STAR" for inner in inside):
            whole |= {table["table_name"] for table in _tables(node["from_table"])}
    for table in _tables(tree):
        if table["column_name_alias"] or names & {table["table_name"].casefold(), table["alias"].casefold()}:
            whole.add(table["table_name"])
    return whole


def _tables(tree: Any) -> Iterator[dict[str, Any]]:
    return (node for node in _nodes(tree) if node.get("type") == "BASE_TABLE")


def _words(tree: Any) -> Iterator[str]:
    """Every text in a syntax tree."""
    for node in _nodes(tree):
        for value in node.values():
            yield from (word for word in (value if isinstance(value, list) else [value]) if isinstance(word, str))


@lru_cache(maxsize=32)  # opening a DuckDB takes a hundred times longer than parsing
def _parsed(sql: str, where: str) -> dict[str, Any]:
    import duckdb

    with duckdb.connect() as db:
        answer = db.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0][0]
    try:
        tree: dict[str, Any] = json.loads(answer)
    except RecursionError as deep:
        raise _refused(where, "is nested too deeply to be checked") from deep
    if tree["error"]:
        raise _refused(where, f"does not parse: {tree['error_message'][:300]}")
    if len(tree["statements"]) != 1:
        raise _refused(where, f"holds {len(tree['statements'])} statements")
    return tree


def _refuse_clocks(node: dict[str, Any], where: str) -> None:
    called = str(node["function_name"]) if node.get("class") == "FUNCTION" else ""
    # A clock without brackets parses as a column; `age` or `uuid` without them really is one.
    column = str(node["column_names"][-1]) if node.get("class") == "COLUMN_REF" else ""
    if called.lower() in _CLOCKS_AND_DICE or column.lower() in _CLOCKS_WITHOUT_BRACKETS:
        raise _refused(where, f"asks for {called or column}, so it would not give the same rows again")
    if (node.get("sample") or {}).get("seed") == -1:
        raise _refused(where, "draws a sample without REPEATABLE (seed), so it would not give the same rows again")


def _refused(where: str, why: str) -> FeaturesInvalid:
    return FeaturesInvalid(
        f"{where} {why}.",
        next_step="write one SELECT over the sources of spec.yaml and `this_partition`, which holds the moment.",
    )


def _ctes(tree: Any) -> Iterator[dict[str, Any]]:
    for node in _nodes(tree):
        yield from node.get("cte_map", {}).get("map", [])


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of a syntax tree."""
    todo = [tree]
    while todo:
        current = todo.pop()
        if isinstance(current, dict):
            yield current
            todo.extend(current.values())
        elif isinstance(current, list):
            todo.extend(current)
