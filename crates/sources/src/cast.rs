//! Which SQL casts a shop's cell to a canonical type, and when can it fail?

use tercet_types::tables::Type;

use crate::expression::literal;

pub(crate) fn is_text(ty: &str) -> bool {
    ty.contains("Utf8")
}

fn is_whole(ty: &str) -> bool {
    is_signed(ty) || ty.starts_with("UInt")
}

fn is_signed(ty: &str) -> bool {
    matches!(ty, "Int8" | "Int16" | "Int32" | "Int64")
}

/// True when a value of the source's type may have no counterpart.
pub(crate) fn may_fail(want: Type, ty: &str) -> bool {
    match want {
        Type::Text => false,
        Type::Bool => ty != "Boolean",
        Type::F64 => !is_whole(ty) && !ty.starts_with("Decimal"),
        Type::I64 | Type::I32 => !is_signed(ty),
        Type::Date => !ty.starts_with("Date"),
        Type::Timestamp => {
            !ty.starts_with("Date") && (!ty.starts_with("Timestamp") || has_zone(ty))
        }
    }
}

fn has_zone(ty: &str) -> bool {
    // "Timestamp(µs)" and "Timestamp(Microsecond, None)" have none.
    ty.contains(',') && !ty.contains("None")
}

pub(crate) fn in_words(want: Type) -> &'static str {
    match want {
        Type::Bool => "true or false",
        Type::I32 | Type::I64 => "a whole number",
        Type::F64 => "a number",
        Type::Text => "text",
        Type::Date => "a date",
        Type::Timestamp => "a time",
    }
}

/// Microseconds without zone; `timestamp` would be nanoseconds, which end in 2262.
const LOCAL: &str = "'Timestamp(Microsecond, None)'";

pub(crate) fn sql_type(want: Type) -> &'static str {
    match want {
        Type::Timestamp => "timestamp(6)",
        other => other.sql(),
    }
}

/// SQL that casts `source`, of the engine's type `ty`, to a canonical type; null where it cannot.
pub(crate) fn cast_to(want: Type, source: &str, ty: &str, time_zone: &str) -> String {
    let text =
        if is_text(ty) { format!("trim(cast({source} as varchar))") } else { source.to_owned() };
    match want {
        Type::Text if is_text(ty) => format!("filled_text(cast({source} as varchar))"),
        // Whole numbers that a tool wrote as doubles, because one id was missing, are whole again.
        Type::Text if ty.starts_with("Float") => format!(
            "case when {source} = floor({source}) and abs({source}) < 9e15 \
             then cast(cast({source} as bigint) as varchar) else cast({source} as varchar) end"
        ),
        Type::Text if is_signed(ty) => format!("number_text({source})"),
        Type::Text => format!("cast({source} as varchar)"),
        Type::F64 => format!("try_cast({text} as double)"),
        Type::I64 | Type::I32 if is_whole(ty) => format!("try_cast({source} as {})", want.sql()),
        Type::I64 | Type::I32 => {
            let value = format!("try_cast({text} as double)");
            format!(
                "case when abs({value} - round({value})) < 1e-6 then try_cast(round({value}) as {}) end",
                want.sql()
            )
        }
        Type::Bool if ty == "Boolean" => source.to_owned(),
        Type::Bool => format!(
            "case lower(trim(cast({source} as varchar))) when 'true' then true when 't' then true \
             when 'yes' then true when 'y' then true when '1' then true when 'false' then false \
             when 'f' then false when 'no' then false when 'n' then false when '0' then false end"
        ),
        Type::Date if ty.starts_with("Date") => format!("cast({source} as date)"),
        Type::Date if is_text(ty) => format!(
            "coalesce(case when regexp_like({text}, '^\\d{{4}}-?\\d{{2}}-?\\d{{2}}$') \
             then try_cast({text} as date) end, cast({} as date))",
            instant(&text, ty, time_zone)
        ),
        Type::Date => format!("cast({} as date)", instant(source, ty, time_zone)),
        Type::Timestamp => instant(&text, ty, time_zone),
    }
}

/// Wall time in the project's zone. Text and times without a zone are wall time already; with one they
/// are converted; whole numbers are seconds (or milliseconds) since 1970 in UTC.
fn instant(source: &str, ty: &str, time_zone: &str) -> String {
    /// Numbers above this are milliseconds: as seconds they would lie after the year 5000.
    const MILLISECONDS_FROM: &str = "100000000000";
    let zoned = literal(&format!("Timestamp(Microsecond, Some(\"{time_zone}\"))"));
    let of_utc = |value: String| format!("to_local_time(arrow_try_cast({value}, {zoned}))");
    let of_number = |value: &str| {
        let micros = format!(
            "case when abs({value}) < {MILLISECONDS_FROM} then {value} * 1000000 else {value} * 1000 end"
        );
        of_utc(format!("arrow_try_cast({micros}, 'Timestamp(Microsecond, Some(\"UTC\"))')"))
    };
    if is_text(ty) {
        let number = format!("try_cast({source} as bigint)");
        return format!(
            "case when regexp_like({source}, '^\\d{{9,13}}$') then {} \
             when regexp_like({source}, '\\d{{2}}:\\d{{2}}(:\\d{{2}}(\\.\\d+)?)?\\s*(Z|UTC|[+-]\\d{{2}}(:?\\d{{2}})?)$') \
             then {} else arrow_try_cast({source}, {LOCAL}) end",
            of_number(&number),
            of_utc(source.to_owned())
        );
    }
    if is_whole(ty) || ty.starts_with("Float") || ty.starts_with("Decimal") {
        return of_number(&format!("try_cast({source} as bigint)"));
    }
    if ty.starts_with("Timestamp") && has_zone(ty) {
        return of_utc(source.to_owned());
    }
    format!("arrow_try_cast({source}, {LOCAL})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_texts_by_their_type() {
        let check = |ty: &str, expect: &str| {
            assert_eq!(cast_to(Type::Text, "x", ty, "UTC"), expect, "{ty}");
        };
        check("Int64", "number_text(x)");
        check("UInt64", "cast(x as varchar)");
        check("Interval(MonthDayNano)", "cast(x as varchar)");
        check("Utf8View", "filled_text(cast(x as varchar))");
    }
}
