// Tables whose columns are known: LeWiDi's JSON (the shared tasks of 2023 and 2025), BRIGHTER's and
// SemEval-2025 task 11's emotions, and what `labelprobe data --out` writes. Each is brought into a
// form that task files can describe, by `format: lewidi`, `brighter` or `labelprobe`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/files/table.h"

namespace labelprobe::data {

enum class TableForm { Plain, LeWiDi, Brighter, Labelprobe };

// "lewidi", "brighter", "labelprobe"; as people call it, "LeWiDi".
std::vector<std::string> table_form_names();
std::optional<TableForm> find_table_form(std::string_view name);
std::string_view title_of(TableForm form);

TableForm form_of(const files::Table& table);

// Brings a table of the form into that which describe() speaks of; Plain as it is.
//   LeWiDi      `annotators` and `annotations` become lists of one length, the votes of several
//               labels lists of theirs
//   Brighter    intensities from 1 to 3 become 1
//   Labelprobe  the rows of one id and role become one, with the aggregate's `labels`, and the
//               votes as lists in `annotators` and `votes`
// Throws DataError (row, expected, found) for rows that are not of the form.
void bring_into_form(TableForm form, files::Table& table);

// The lines of a task file, without `name` and `files`, for tables that were brought into form.
//   has_splits  whether the files tell the splits apart
std::string describe(TableForm form, const files::Table& table, bool has_splits);

}  // namespace labelprobe::data
