#include "labelprobe/analysis/table.h"

#include <array>

#include "labelprobe/core/error.h"

#include "analysis/report/table_layouts.h"

namespace labelprobe::analysis {

namespace {

struct Format {
  std::string_view name;
  std::string_view ending;
  TableFormat format;
  void (*write)(std::ostream& out, const AlignmentTable& table);
};

constexpr std::array kFormats = {
    Format{"terminal", ".txt", TableFormat::Terminal, write_table_for_terminal},
    Format{"markdown", ".md", TableFormat::Markdown, write_table_for_markdown},
    Format{"csv", ".csv", TableFormat::Csv, write_table_csv},
    Format{"json", ".json", TableFormat::Json, write_table_json},
    Format{"latex", ".tex", TableFormat::Latex, write_table_for_latex},
    Format{"html", ".html", TableFormat::Html, write_table_for_html},
};

}  // namespace

TableFormat parse_table_format(std::string_view name) {
  std::vector<std::string> known;
  for (const Format& format : kFormats) {
    if (format.name == name) return format.format;
    known.emplace_back(format.name);
  }
  throw ConfigError(unknown_choice("format", name, known));
}

TableFormat format_of_file(const std::filesystem::path& path) {
  std::vector<std::string> known;
  for (const Format& format : kFormats) {
    if (path.extension() == format.ending) return format.format;
    known.emplace_back(format.ending);
  }
  throw ConfigError(path.string() + ": " +
                    unknown_choice("file ending", path.extension().string(), known));
}

void write_table(std::ostream& out, const AlignmentTable& table, TableFormat format) {
  for (const Format& known : kFormats) {
    if (known.format == format) known.write(out, table);
  }
}

}  // namespace labelprobe::analysis
