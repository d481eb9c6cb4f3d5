#include "labelprobe/files/text_table.h"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "labelprobe/core/utf8.h"
#include "labelprobe/files/csv.h"

namespace labelprobe::files {

namespace {

// Neither HTML nor XML has a spelling for control characters but white space.
bool has_no_spelling(char c) {
  return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r';
}

std::string_view shown_cell(std::string_view text, const TerminalLayout& layout) {
  return text.empty() ? layout.empty : text;
}

std::string padded(std::string_view text, std::size_t width, Align align) {
  const std::string spaces(width - std::min(width, n_characters(text)), ' ');
  return align == Align::Left ? std::string(text) + spaces : spaces + std::string(text);
}

std::string_view text_at(const std::vector<std::string>& row, std::size_t column) {
  return column < row.size() ? std::string_view(row[column]) : std::string_view();
}

std::vector<std::size_t> widths_of(const TextTable& table, const TerminalLayout& layout) {
  std::vector<std::size_t> widths(table.columns.size());
  for (std::size_t column = 0; column < widths.size(); ++column) {
    std::size_t& width = widths[column];
    if (layout.has_header) width = n_characters(table.columns[column].header);
    for (const auto& row : table.rows) {
      width = std::max(width, n_characters(shown_cell(text_at(row, column), layout)));
    }
  }
  return widths;
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

void drop_empty_columns(TextTable& table) {
  for (std::size_t column = table.columns.size(); column-- > 0;) {
    const bool is_empty = std::all_of(table.rows.begin(), table.rows.end(), [&](const auto& row) {
      return text_at(row, column).empty();
    });
    if (is_empty) {
      const auto offset = static_cast<std::ptrdiff_t>(column);
      table.columns.erase(table.columns.begin() + offset);
      for (auto& row : table.rows) {
        if (column < row.size()) row.erase(row.begin() + offset);
      }
    }
  }
}

void write_terminal(std::ostream& out, const TextTable& table, const TerminalLayout& layout) {
  const std::vector<std::size_t> widths = widths_of(table, layout);
  const auto write_line = [&](const auto& text_of) {
    std::string line(layout.indent);
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      line += (i == 0 ? "" : "  ") +
              padded(shown_cell(text_of(i), layout), widths[i], table.columns[i].align);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  };
  if (layout.has_header) {
    write_line([&](std::size_t i) { return std::string_view(table.columns[i].header); });
  }
  for (const auto& row : table.rows) {
    write_line([&](std::size_t i) { return text_at(row, i); });
  }
}

void write_markdown(std::ostream& out, const TextTable& table) {
  const auto write_line = [&](const auto& write) {
    out << "| ";
    write_joined(out, table.columns.size(), " | ", write);
    out << " |\n";
  };
  write_line([&](std::size_t i) { out << escape_markdown(table.columns[i].header); });
  write_line(
      [&](std::size_t i) { out << (table.columns[i].align == Align::Left ? ":--" : "--:"); });
  for (const auto& row : table.rows) {
    write_line([&](std::size_t i) { out << escape_markdown(text_at(row, i)); });
  }
}

void write_latex(std::ostream& out, const TextTable& table) {
  out << "\\begin{tabular}{";
  for (const TextColumn& column : table.columns) {
    out << (column.align == Align::Left ? 'l' : 'r');
  }
  out << "}\n\\hline\n";
  write_joined(out, table.columns.size(), " & ",
               [&](std::size_t i) { out << escape_latex(table.columns[i].header); });
  out << " \\\\\n\\hline\n";
  for (const auto& row : table.rows) {
    write_joined(out, table.columns.size(), " & ",
                 [&](std::size_t i) { out << escape_latex(text_at(row, i)); });
    out << " \\\\\n";
  }
  out << "\\hline\n\\end{tabular}\n";
}

void write_html(std::ostream& out, const TextTable& table) {
  const auto write_line = [&](std::string_view element, const auto& text_of) {
    out << "<tr>";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const bool is_number = table.columns[i].align == Align::Right;
      out << '<' << element << (is_number ? " class=\"number\">" : ">") << escape_html(text_of(i))
          << "</" << element << '>';
    }
    out << "</tr>\n";
  };
  out << "<table>\n<thead>\n";
  write_line("th", [&](std::size_t i) { return std::string_view(table.columns[i].header); });
  out << "</thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    write_line("td", [&](std::size_t i) { return text_at(row, i); });
  }
  out << "</tbody>\n</table>\n";
}

void write_csv(std::ostream& out, const TextTable& table) {
  write_joined(out, table.columns.size(), ",",
               [&](std::size_t i) { out << csv_field(table.columns[i].header); });
  out << '\n';
  for (const auto& row : table.rows) {
    write_joined(out, table.columns.size(), ",",
                 [&](std::size_t i) { out << csv_field(text_at(row, i)); });
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

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += has_no_spelling(c) ? ' ' : c;
    }
  }
  return escaped;
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::int64_t first = number < 0 ? 1 : 0;
  for (auto at = static_cast<std::int64_t>(digits.size()) - 3; at > first; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string percent(double share) {
  return fmt::format("{:.1f}%", 100.0 * share);
}

}  // namespace labelprobe::files
