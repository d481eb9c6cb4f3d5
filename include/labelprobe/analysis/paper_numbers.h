// The numbers of the paper's tables, published ones and those of one's own runs, in one form: a
// list in which each number says where it stands. Tables for people are laid out from it, and it is
// a CSV file of its own. Source: *Large Language Models Do Multi-Label Classification Differently*,
// EMNLP 2025, Tables 1, 2, 4, 5 and 6. Table 3 shows prompts and has no numbers.
#pragma once

#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/files/text_table.h"

namespace labelprobe::analysis {

struct PaperNumber {
  std::string table;    // "table4"
  std::string row;      // a method ("Unary"); empty where a table's rows are models
  std::string source;   // whose number it is: "published, 8B Base", or a model
  std::string set;      // "GoEmotions"
  std::string measure;  // "nll"; see measures_of()
  std::optional<double> value;
  // Without a value: why there is none. With one: what a reader should know of it; may be empty.
  std::string note;
};

// What stands behind the name of a source that the paper published.
inline constexpr std::string_view kPublishedSource = "published, ";

// A column of a table, for each data set.
struct PaperMeasure {
  std::string_view name;   // "prev_label"
  std::string_view title;  // "Label"
  int n_digits = 2;        // behind the point, as the paper prints it
};

// The measures of "table1", "table2", "table4", "table5" or "table6", in the order of its columns.
// Throws ConfigError naming the nearest.
std::span<const PaperMeasure> measures_of(std::string_view table);

// The row of Tables 1 and 5 that a method has (an estimator's name, `bert` or `linear_probing`);
// empty if they have none. And the other way round.
std::string paper_row(std::string_view method);
std::string paper_method(std::string_view row);

// What the paper prints. N/A and N/S are numbers without a value. Errors as measures_of().
std::vector<PaperNumber> published_numbers(std::string_view table);

// "published, GoEmotions: 8B Base 99.3, 8B Instruct 95.4": one measure of Table 2, 4 or 6 for a
// set; empty if the paper has none.
std::string published_line(std::string_view table, std::string_view set, std::string_view measure);

// A table for people, and the notes that its marks (1), (2) refer to.
struct PaperTableText {
  files::TextTable table;
  std::vector<std::string> notes;
};

// Numbers of one table. Rows are (row, source), columns (set, measure), both in the order in which
// they are first met; a source that is not published stands below the published ones of its row.
PaperTableText lay_out(std::span<const PaperNumber> numbers);

// Every digit of all of them: table,row,source,set,measure,value,note.
void write_paper_numbers(std::ostream& out, std::span<const PaperNumber> numbers);

}  // namespace labelprobe::analysis
