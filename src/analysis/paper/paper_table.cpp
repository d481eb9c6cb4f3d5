#include <algorithm>
#include <map>
#include <ostream>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/analysis/paper_numbers.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/csv.h"

#include "analysis/report/numbers.h"

namespace labelprobe::analysis {

namespace {

bool is_published(const PaperNumber& number) {
  return number.source.starts_with(kPublishedSource);
}

// Puts an element behind the others unless it is there, and says where it stands.
template <class T>
std::size_t place_of(const T& element, std::vector<T>& elements) {
  const auto found = std::find(elements.begin(), elements.end(), element);
  if (found != elements.end()) return static_cast<std::size_t>(found - elements.begin());
  elements.push_back(element);
  return elements.size() - 1;
}

// The rows and columns of a table, in their order.
struct Layout {
  std::vector<std::string> methods;
  std::vector<std::pair<std::string, std::string>> rows;     // method and source
  std::vector<std::pair<std::string, std::string>> columns;  // set and measure

  explicit Layout(std::span<const PaperNumber> numbers) {
    std::vector<std::string> sources;
    std::vector<std::string> sets;
    for (const bool wants_published : {true, false}) {
      for (const PaperNumber& number : numbers) {
        if (is_published(number) != wants_published) continue;
        place_of(number.row, methods);
        place_of(number.source, sources);
        place_of(number.set, sets);
      }
    }
    const auto has_row = [&](const std::string& method, const std::string& source) {
      return std::any_of(numbers.begin(), numbers.end(), [&](const PaperNumber& number) {
        return number.row == method && number.source == source;
      });
    };
    for (const std::string& method : methods) {
      for (const std::string& source : sources) {
        if (has_row(method, source)) rows.emplace_back(method, source);
      }
    }
    for (const std::string& set : sets) {
      for (const PaperNumber& number : numbers) {
        if (number.set == set) place_of(std::pair(set, number.measure), columns);
      }
    }
  }

  bool has_methods() const { return methods.size() > 1 || !methods.front().empty(); }
};

const PaperMeasure& measure_of(const PaperNumber& number) {
  const std::span<const PaperMeasure> measures = measures_of(number.table);
  const auto found = std::find_if(measures.begin(), measures.end(),
                                  [&](const auto& one) { return one.name == number.measure; });
  LABELPROBE_CHECK(found != measures.end());
  return *found;
}

// "23.93", "0.21 (2)", "N/A", "(1)"
std::string text_of(const PaperNumber& number, std::vector<std::string>& notes) {
  if (!number.value && number.note.starts_with("N/")) return number.note.substr(0, 3);
  std::string text = number.value ? rounded(*number.value, measure_of(number).n_digits) : "";
  if (!number.note.empty()) {
    text += fmt::format("{}({})", text.empty() ? "" : " ", place_of(number.note, notes) + 1);
  }
  return text;
}

}  // namespace

PaperTableText lay_out(std::span<const PaperNumber> numbers) {
  PaperTableText text;
  if (numbers.empty()) return text;
  const Layout layout(numbers);
  const std::size_t n_before = layout.has_methods() ? 2 : 1;
  if (layout.has_methods()) text.table.columns.push_back({"method", files::Align::Left});
  text.table.columns.push_back({"model", files::Align::Left});
  text.table.columns.resize(n_before + layout.columns.size());

  std::map<std::pair<std::string, std::string>, std::size_t> row_of;
  for (const auto& row : layout.rows) {
    row_of[row] = text.table.rows.size();
    std::vector<std::string> texts;
    if (layout.has_methods()) texts.push_back(row.first);
    texts.push_back(row.second);
    texts.resize(n_before + layout.columns.size());
    text.table.rows.push_back(std::move(texts));
  }
  for (const PaperNumber& number : numbers) {
    const auto column = std::find(layout.columns.begin(), layout.columns.end(),
                                  std::pair(number.set, number.measure));
    const std::size_t place = n_before + static_cast<std::size_t>(column - layout.columns.begin());
    text.table.columns[place].header = fmt::format("{} {}", number.set, measure_of(number).title);
    text.table.rows[row_of.at({number.row, number.source})][place] = text_of(number, text.notes);
  }
  return text;
}

void write_paper_numbers(std::ostream& out, std::span<const PaperNumber> numbers) {
  out << "table,row,source,set,measure,value,note\n";
  for (const PaperNumber& number : numbers) {
    out << fmt::format("{},{},{},{},{},{},{}\n", number.table, files::csv_field(number.row),
                       files::csv_field(number.source), files::csv_field(number.set),
                       number.measure, number.value ? exact(*number.value) : "",
                       files::csv_field(number.note));
  }
}

}  // namespace labelprobe::analysis
