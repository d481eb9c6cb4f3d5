#include "analysis/report/svg.h"

#include <ostream>

#include <fmt/format.h>

#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_table.h"

namespace labelprobe::analysis {
std::string pixel(double number) {
  return fmt::format("{:.1f}", number);
}

std::string shortened(const std::string& text, std::size_t n_most) {
  if (text.size() <= n_most) return text;
  const std::size_t end = character_start(text, n_most / 3);
  const std::size_t start = next_character_start(text, text.size() - (n_most - n_most / 3));
  return text.substr(0, end) + "\u2026" + text.substr(start);
}

void write_text(
    std::ostream& out, double x, double y, const std::string& text, const std::string& attributes) {
  out << "<text x=\"" << pixel(x) << "\" y=\"" << pixel(y) << "\"" << attributes << ">"
      << files::escape_html(text) << "</text>\n";
}

void write_line(std::ostream& out, double x1, double y1, double x2, double y2, const char* look) {
  out << "<line x1=\"" << pixel(x1) << "\" y1=\"" << pixel(y1) << "\" x2=\"" << pixel(x2)
      << "\" y2=\"" << pixel(y2) << "\" " << look << "/>\n";
}

void begin_svg(std::ostream& out,
               double width,
               double height,
               double left,
               const std::string& title,
               const std::string& subtitle) {
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
         "width=\""
      << pixel(width) << "\" height=\"" << pixel(height) << "\" viewBox=\"0 0 " << pixel(width)
      << ' ' << pixel(height)
      << "\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"14\" fill=\"#222\">\n"
         "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  write_text(out, left, 28, title, " font-size=\"18\" font-weight=\"bold\"");
  write_text(out, left, 50, subtitle, " fill=\"#555\"");
}

}  // namespace labelprobe::analysis
