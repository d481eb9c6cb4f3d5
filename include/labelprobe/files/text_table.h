// Tables of texts in the layouts of terminals, Markdown, HTML, LaTeX and CSV. The only writer of
// aligned columns; knows nothing about what the texts mean.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace labelprobe::files {

enum class Align { Left, Right };

struct TextColumn {
  std::string header;
  Align align = Align::Right;
};

struct TextTable {
  std::vector<TextColumn> columns;
  std::vector<std::vector<std::string>> rows;  // UTF-8; missing last texts count as empty
};

// Takes out the columns in which every row has an empty text.
void drop_empty_columns(TextTable& table);

struct TerminalLayout {
  std::string_view indent = "";
  std::string_view empty = "-";  // what is shown for an empty text
  bool has_header = true;
};

// Two spaces between columns; one column of the terminal per code point.
void write_terminal(std::ostream& out, const TextTable& table, const TerminalLayout& layout = {});

void write_markdown(std::ostream& out, const TextTable& table);

// A tabular environment that needs no package.
void write_latex(std::ostream& out, const TextTable& table);

// A table element; columns of numbers have the class `number`.
void write_html(std::ostream& out, const TextTable& table);

// RFC 4180, lines ending in "\n".
void write_csv(std::ostream& out, const TextTable& table);

// With what LaTeX takes for commands escaped; "±" becomes "$\pm$".
std::string escape_latex(std::string_view text);

std::string escape_markdown(std::string_view text);

// For the inside of elements and of attributes in double quotes, of XML such as SVG too; control
// characters become spaces.
std::string escape_html(std::string_view text);

// "1,234,567"
std::string grouped(std::int64_t number);

// "12.3%" of a share from 0 to 1.
std::string percent(double share);

}  // namespace labelprobe::files
