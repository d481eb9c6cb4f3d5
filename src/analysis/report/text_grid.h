// A grid of texts in the layouts of terminals, Markdown, LaTeX and CSV. Knows nothing about what
// the texts mean.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace labelprobe::analysis {

enum class Align { Left, Right };

struct TextColumn {
  std::string header;
  Align align = Align::Right;
};

struct TextGrid {
  std::vector<TextColumn> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as `columns`; UTF-8
};

// Takes out the columns in which every row has an empty text.
void drop_empty_columns(TextGrid& grid);

// Two spaces between columns; empty texts are shown as "-".
void write_terminal(std::ostream& out, const TextGrid& grid);

void write_markdown(std::ostream& out, const TextGrid& grid);

// A tabular environment that needs no package.
void write_latex(std::ostream& out, const TextGrid& grid);

// RFC 4180, lines ending in "\n".
void write_csv(std::ostream& out, const TextGrid& grid);

// With what LaTeX takes for commands escaped; "±" becomes "$\pm$".
std::string escape_latex(std::string_view text);

std::string escape_markdown(std::string_view text);

}  // namespace labelprobe::analysis
