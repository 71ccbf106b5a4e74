//! The column types, and the texts that `docs/loading.md` says they accept.

/// A column type, and the texts that `docs/loading.md` says it accepts.
pub(super) struct Type {
    pub(super) sql: &'static str,
    /// The accepted form, as a PostgreSQL regular expression.
    pub(super) form: &'static str,
    /// Texts that must be accepted.
    pub(super) taken: &'static [&'static str],
    /// Texts at the edge of the accepted form.
    pub(super) others: &'static [&'static str],
    /// Grammars of further texts, which need not be accepted.
    pub(super) grammars: &'static [&'static str],
    /// Whether a value `v` differs from its text, as SQL.
    pub(super) inexact: &'static str,
    pub(super) reasons: &'static [&'static str],
}

const UUID: &str = "^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\
    |\\{[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\})$";
const WHOLE: &str = "^[-+]?[0-9]+$";
const DECIMAL: &str = "^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$";
const NUMERIC_FORM: &str = "^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?0*[0-9]{1,9})?$";
const TIME: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\
    ([.][0-9]{1,9})?(Z|[-+][0-9]{2}(:?[0-9]{2})?)$";

const NEVER: &str = "false";
const NUMERIC: &str = "v <> text::numeric";
pub(super) const FLOAT: &str = "NOT oracle.is_printed(v, v::text, oracle.number(text))";

const WORDS: &[&str] = &["[a-zØé雪 '\"\\\\,\n\t]{1,6}", "[a雪 ]{0,4} {0,3}"];
const WHOLES: &[&str] = &["[-+]?0{0,2}[0-9]{1,20}", "[-+ ]{0,2}[0-9a-fx_.]{1,4} ?"];
const DECIMALS: &[&str] = &[
    "[-+]?[0-9]{0,9}\\.?[0-9]{0,5}([eE][-+]?[0-9]{1,2})?",
    "-?[0-9]{1,3}\\.[0-9]{0,3}(0{0,3}|[49]{1,3}[0-9])",
    "[1-9][0-9]{0,20}(\\.[0-9]{1,20})?e[-+]?[0-9]{1,3}",
];
const TIMES: &[&str] = &[
    "20[0-9][0-9]-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,10})?(Z|[-+][01][0-9](:?[0-6][0-9])?)",
    "(0001|1999|2000|9999)-(01-01|12-31)[T ](00:00:00|23:59:59)\\.[0-9]{0,3}[049]{1,6}(Z|\\+15:59|-15:59)",
];
const NO_NUMBERS: &[&str] = &[
    "NaN",
    "Infinity",
    "-inf",
    "1e400",
    "1e-400",
    " 1",
    "1 ",
    "0x1A",
    "0o17",
    "0b11",
    "1,5",
    "1_000",
    "e5",
    ".",
    "--1",
    "٣",
    "1e999999999999",
    "0e1073741822",
    "0e1073741823",
    "0e999999999",
    "0e1000000000",
    "0e-20000",
    "1e-20000",
    "0e999999999999",
    "1e-9223372036854775808",
    "1.5e9223372036854775807",
];
const FLOATS: &[&str] = &[
    "1e23",
    "9.999999999999999e+22",
    "0.10000000000000001",
    "0.1000000000000000055511151231257827021181583404541015625",
    "9007199254740993",
    "16777217",
    "5.684341886080802e-14",
    "5.684341886080801e-14",
    "4.94065645841247e-324",
    "7e-324",
    "2.4703282292062327e-324",
    "1.7976931348623159e308",
    "3.4028236e38",
    "7.006492321624085e-46",
];

const INTEGER_REASONS: &[&str] = &["invalid_integer", "out_of_range"];
const DECIMAL_REASONS: &[&str] =
    &["invalid_number", "numeric_scale", "numeric_precision", "out_of_range"];
const FLOAT_REASONS: &[&str] = &["invalid_number", "numeric_precision", "out_of_range"];
const TIME_REASONS: &[&str] = &["invalid_timestamp", "numeric_scale"];

const fn whole(sql: &'static str, taken: &'static [&'static str]) -> Type {
    Type {
        sql,
        form: WHOLE,
        taken,
        others: NO_NUMBERS,
        grammars: WHOLES,
        inexact: NEVER,
        reasons: INTEGER_REASONS,
    }
}

const fn decimal(sql: &'static str, taken: &'static [&'static str]) -> Type {
    Type {
        sql,
        form: NUMERIC_FORM,
        taken,
        others: NO_NUMBERS,
        grammars: DECIMALS,
        inexact: NUMERIC,
        reasons: DECIMAL_REASONS,
    }
}

const fn float(sql: &'static str, taken: &'static [&'static str]) -> Type {
    Type {
        form: DECIMAL,
        others: FLOATS,
        inexact: FLOAT,
        reasons: FLOAT_REASONS,
        ..decimal(sql, taken)
    }
}

const fn text(
    sql: &'static str,
    form: &'static str,
    taken: &'static [&'static str],
    others: &'static [&'static str],
) -> Type {
    let reasons = &["value_too_long"];
    Type { sql, form, taken, others, grammars: WORDS, inexact: NEVER, reasons }
}

const fn time(sql: &'static str, inexact: &'static str) -> Type {
    Type {
        sql,
        form: TIME,
        taken: &[
            "2024-12-31T23:59:59Z",
            "2024-12-31 23:59:59.000000000+05:30",
            "1999-01-01 00:00:00-08",
            "0001-01-01T00:00:00+1000",
            "9999-12-31T23:59:59-10",
            "2024-12-31T23:59:59-00:00",
        ],
        others: &[
            "2024-12-31",
            "2024-12-31 10:00",
            "now",
            "infinity",
            "2016-12-31T23:59:60Z",
            "2024-12-31T24:00:00Z",
            "2024-12-31T23:59:59.123456+05:30",
            "2024-12-31T23:59:59.9999995Z",
            "1999-12-31T23:59:59.5Z",
            "1999-12-31T23:59:59.1234565Z",
            "2024-12-31T23:59:59.1234567890Z",
            "2024-12-31T23:59:59.Z",
            "2024-12-31T23:59:59+01[Europe/Paris]",
            "2024-12-31T23:59:59,5Z",
            "-000001-01-01T00:00:00Z",
            "+002024-01-01T00:00:00Z",
            "0000-06-01T00:00:00Z",
            "20241231T235959Z",
            "2024-12-31T23Z",
            "2024-12-31t23:59:59z",
            "2024-12-31T23:59:59+01:00:30",
            "2024-12-31T23:59:59+15:59",
            "2024-12-31T23:59:59+16",
            "2024-12-31T2359Z",
        ],
        grammars: TIMES,
        inexact,
        reasons: TIME_REASONS,
    }
}

/// Servers before 15 have no scale below zero or above the precision.
pub(super) const SCALES_SINCE_15: [&str; 2] = ["numeric(5,-2)", "numeric(2,4)"];

pub(super) const TYPES: &[Type] = &[
    Type {
        sql: "uuid",
        form: UUID,
        taken: &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC999C0B4EF8BB6D6BB9BD380A11"],
        others: &[
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
            "{a0eebc999c0b4ef8bb6d6bb9bd380a11}",
            "urn:uuid:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "a0eebc99",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        ],
        grammars: &["[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-g]{4}-[0-9a-f]{12}"],
        inexact: NEVER,
        reasons: &["invalid_uuid"],
    },
    text("text", "^.*$", &["a", " a ", "\\N", "NULL", "\r\n", "Ørn 雪", "\u{1}"], &[]),
    text("varchar", "^.*$", &["a"], &[]),
    text("varchar(3)", "^.{1,3}$", &["abc", "雪雪雪", "a  "], &["abcd", "ab  "]),
    text("char(4)", "^.{0,4} *$", &["abcd", "ab", "雪", "ab    ", " "], &["abcde", " abcd"]),
    whole("smallint", &["-32768", "32767", "+1", "007"]),
    whole("integer", &["-2147483648", "2147483647"]),
    whole("bigint", &["-9223372036854775808", "9223372036854775807"]),
    decimal("numeric", &["3.3E+8", "1e-400", "0.0480", "-0.0", "00012.5", ".5", "5.", "1e400"]),
    decimal("numeric(10,2)", &["99999999.99", "-0.50", "1E+5", "12.3000"]),
    decimal("numeric(4)", &["9999", "1.0"]),
    decimal("numeric(5,-2)", &["1200", "9999900", "0", "1e3"]),
    decimal("numeric(2,4)", &["0.0012", "-0.0099"]),
    float("real", &["0.1", "16777216", "1e-45", "3.4028235e38", "-0", "0.100000001"]),
    float(
        "double precision",
        &["0.1", "1e308", "5e-324", "1.7976931348623157e308", "-0.0", "9.999999999999999e+22"],
    ),
    Type {
        sql: "boolean",
        form: "(?i)^(t|true|y|yes|on|1|f|false|n|no|off|0)$",
        taken: &["t", "false", "TRUE", "yes", "Off", "1", "0"],
        others: &["tr", "2", " t", "o", "wahr"],
        grammars: &["[tfynTRUEalsoe]{1,5}"],
        inexact: NEVER,
        reasons: &["invalid_boolean"],
    },
    Type {
        sql: "date",
        form: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        taken: &["2024-02-29", "0001-01-01", "9999-12-31"],
        others: &[
            "2023-02-29",
            "1900-02-29",
            "1/2/2024",
            "20240229",
            "infinity",
            "today",
            "2024-2-9",
            "0000-01-01",
            "10000-01-01",
        ],
        grammars: &["[0-9]{4}-[01][0-9]-[0-3][0-9]"],
        inexact: NEVER,
        reasons: &["invalid_date", "out_of_range"],
    },
    time("timestamptz", "text ~ '[.][0-9]{6}[0-9]*[1-9]'"),
    time("timestamptz(3)", "text ~ '[.][0-9]{3}[0-9]*[1-9]'"),
    time("timestamptz(0)", "text ~ '[.][0-9]*[1-9]'"),
];
