#include "analysis/report/text_grid.h"

#include <algorithm>
#include <ostream>

namespace labelprobe::analysis {

namespace {

// Columns of a terminal, for texts of one column per code point.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string padded(const std::string& text, std::size_t width, Align align) {
  const std::string spaces(width - std::min(width, width_of(text)), ' ');
  return align == Align::Left ? text + spaces : spaces + text;
}

const std::string& shown(const std::string& text) {
  static const std::string dash = "-";
  return text.empty() ? dash : text;
}

std::vector<std::size_t> widths_of(const TextGrid& grid) {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < grid.columns.size(); ++column) {
    std::size_t width = width_of(grid.columns[column].header);
    for (const auto& row : grid.rows) {
      width = std::max(width, width_of(shown(row[column])));
    }
    widths.push_back(width);
  }
  return widths;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + "\"";
}

template <typename Write>
void write_joined(std::ostream& out,
                  std::size_t n,
                  std::string_view separator,
                  const Write& write) {
  for (std::size_t i = 0; i < n; ++i) {
    out << (i == 0 ? "" : separator);
    write(i);
  }
}

}  // namespace

void drop_empty_columns(TextGrid& grid) {
  for (std::size_t column = grid.columns.size(); column-- > 0;) {
    const bool is_empty = std::all_of(grid.rows.begin(), grid.rows.end(),
                                      [&](const auto& row) { return row[column].empty(); });
    if (is_empty) {
      const auto offset = static_cast<std::ptrdiff_t>(column);
      grid.columns.erase(grid.columns.begin() + offset);
      for (auto& row : grid.rows) {
        row.erase(row.begin() + offset);
      }
    }
  }
}

void write_terminal(std::ostream& out, const TextGrid& grid) {
  const std::vector<std::size_t> widths = widths_of(grid);
  const auto write_line = [&](const auto& text_of) {
    std::string line;
    for (std::size_t i = 0; i < grid.columns.size(); ++i) {
      line += (i == 0 ? "" : "  ") + padded(shown(text_of(i)), widths[i], grid.columns[i].align);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  };
  write_line([&](std::size_t i) -> const std::string& { return grid.columns[i].header; });
  for (const auto& row : grid.rows) {
    write_line([&](std::size_t i) -> const std::string& { return row[i]; });
  }
}

void write_markdown(std::ostream& out, const TextGrid& grid) {
  const auto write_line = [&](const auto& write) {
    out << "| ";
    write_joined(out, grid.columns.size(), " | ", write);
    out << " |\n";
  };
  write_line([&](std::size_t i) { out << escape_markdown(grid.columns[i].header); });
  write_line([&](std::size_t i) { out << (grid.columns[i].align == Align::Left ? ":--" : "--:"); });
  for (const auto& row : grid.rows) {
    write_line([&](std::size_t i) { out << escape_markdown(row[i]); });
  }
}

void write_latex(std::ostream& out, const TextGrid& grid) {
  out << "\\begin{tabular}{";
  for (const TextColumn& column : grid.columns) {
    out << (column.align == Align::Left ? 'l' : 'r');
  }
  out << "}\n\\hline\n";
  write_joined(out, grid.columns.size(), " & ",
               [&](std::size_t i) { out << escape_latex(grid.columns[i].header); });
  out << " \\\\\n\\hline\n";
  for (const auto& row : grid.rows) {
    write_joined(out, grid.columns.size(), " & ",
                 [&](std::size_t i) { out << escape_latex(row[i]); });
    out << " \\\\\n";
  }
  out << "\\hline\n\\end{tabular}\n";
}

void write_csv(std::ostream& out, const TextGrid& grid) {
  write_joined(out, grid.columns.size(), ",",
               [&](std::size_t i) { out << csv_field(grid.columns[i].header); });
  out << '\n';
  for (const auto& row : grid.rows) {
    write_joined(out, grid.columns.size(), ",", [&](std::size_t i) { out << csv_field(row[i]); });
    out << '\n';
  }
}

std::string escape_latex(std::string_view text) {
  constexpr std::string_view kPlusMinus = "\u00B1";
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (text.substr(i).starts_with(kPlusMinus)) {
      escaped += "$\\pm$";
      i += kPlusMinus.size() - 1;
    } else if (c == '\\') {
      escaped += "\\textbackslash{}";
    } else if (c == '~') {
      escaped += "\\textasciitilde{}";
    } else if (c == '^') {
      escaped += "\\textasciicircum{}";
    } else if (c == '-' && i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9' &&
               (i == 0 || text[i - 1] == ' ' || text[i - 1] == '[')) {
      escaped += "$-$";  // a minus, not a hyphen
    } else if (c == '<' || c == '>') {
      escaped += std::string("$") + c + "$";  // inverted marks in LaTeX's oldest font encoding
    } else if (std::string_view("_&%#${}").find(c) != std::string_view::npos) {
      escaped += std::string("\\") + c;
    } else {
      escaped += c == '\n' ? ' ' : c;
    }
  }
  // A row that begins with a bracket would be taken for the previous line's argument.
  return escaped.starts_with('[') ? "{}" + escaped : escaped;
}

std::string escape_markdown(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("|\\`*_<>[]").find(c) != std::string_view::npos) {
      escaped += '\\';
    }
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

}  // namespace labelprobe::analysis
