#include "labelprobe/files/workbook.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"
#include "labelprobe/files/text_file.h"

#include "files/archive.h"

namespace labelprobe::files {

namespace {

constexpr const char* kWorkbookPart = "xl/workbook.xml";
constexpr const char* kRelationsPart = "xl/_rels/workbook.xml.rels";

pugi::xml_node child_of(const pugi::xml_node& parent, std::string_view name) {
  for (const pugi::xml_node child : parent.children()) {
    if (local_name(child.name()) == name) {
      return child;
    }
  }
  return {};
}

std::string attribute_of(const pugi::xml_node& node, std::string_view name) {
  for (const pugi::xml_attribute attribute : node.attributes()) {
    if (attribute.name() == name) {
      return attribute.value();
    }
  }
  return "";
}

// The value of the attribute r:id, whatever the prefix.
std::string relation_of(const pugi::xml_node& sheet) {
  for (const pugi::xml_attribute attribute : sheet.attributes()) {
    if (std::string_view(attribute.name()).ends_with(":id")) {
      return attribute.value();
    }
  }
  return "";
}

// <t>, or the <t> of all runs <r>; phonetic hints <rPh> are no text of the cell.
std::string text_of(const pugi::xml_node& item) {
  std::string text;
  for (const pugi::xml_node child : item.children()) {
    const std::string name = local_name(child.name());
    if (name == "t") {
      text += child.text().get();
    } else if (name == "r") {
      text += child_of(child, "t").text().get();
    }
  }
  return text;
}

std::string part_of_target(const std::string& target) {
  const std::filesystem::path part = target.starts_with('/')
                                         ? std::filesystem::path(target.substr(1))
                                         : "xl" / std::filesystem::path(target);
  return part.lexically_normal().generic_string();
}

std::optional<std::size_t> to_position(std::string_view digits) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() ? std::optional(number)
                                                                      : std::nullopt;
}

// "AB12" -> 27
std::optional<std::size_t> column_of_reference(std::string_view reference) {
  std::size_t column = 0;
  std::size_t n_letters = 0;
  while (n_letters < reference.size() && n_letters < 4 && reference[n_letters] >= 'A' &&
         reference[n_letters] <= 'Z') {
    column = column * 26 + static_cast<std::size_t>(reference[n_letters] - 'A') + 1;
    ++n_letters;
  }
  if (n_letters == 0 || !to_position(reference.substr(n_letters))) {
    return std::nullopt;
  }
  return column - 1;
}

std::string letters_of(std::size_t column) {
  std::string letters;
  for (std::size_t rest = column + 1; rest > 0; rest = (rest - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('A' + (rest - 1) % 26));
  }
  return letters;
}

// Reads the cells of a row element.
class RowReader {
 public:
  RowReader(const std::vector<std::string>& shared_strings,
            const std::function<std::string(std::size_t column)>& place)
      : shared_strings_(shared_strings), place_(place) {}

  std::vector<std::string> read(const pugi::xml_node& row) const {
    std::vector<std::string> cells;
    for (const pugi::xml_node cell : row.children()) {
      if (local_name(cell.name()) != "c") {
        continue;
      }
      const std::string reference = attribute_of(cell, "r");
      const auto column =
          reference.empty() ? std::optional(cells.size()) : column_of_reference(reference);
      if (!column || *column < cells.size() || *column >= limits::kWorkbookColumns) {
        throw DataError(fmt::format("{}: expected a cell in column {} to {}, found {}",
                                    place_(cells.size()), letters_of(cells.size()),
                                    letters_of(limits::kWorkbookColumns - 1), shown(reference)));
      }
      cells.resize(*column);
      cells.push_back(content_of(cell, *column));
    }
    return cells;
  }

 private:
  std::string content_of(const pugi::xml_node& cell, std::size_t column) const {
    const std::string type = attribute_of(cell, "t");
    std::string content;
    if (type == "inlineStr") {
      content = text_of(child_of(cell, "is"));
    } else {
      content = child_of(cell, "v").text().get();
    }
    if (type == "s") {
      const auto index = to_position(content);
      if (!index || *index >= shared_strings_.size()) {
        throw DataError(
            fmt::format("{}: expected one of the {} shared strings by its number, found {}",
                        place_(column), shared_strings_.size(), shown(content)));
      }
      content = shared_strings_[*index];
    }
    if (content.size() > limits::kWorkbookCellBytes) {
      throw DataError(fmt::format("{}: expected at most {} bytes, found {}", place_(column),
                                  limits::kWorkbookCellBytes, content.size()));
    }
    return content;
  }

  const std::vector<std::string>& shared_strings_;
  const std::function<std::string(std::size_t column)>& place_;
};

}  // namespace

Workbook::Workbook(std::filesystem::path path) : path_(std::move(path)) {
  const Archive archive(path_);
  std::map<std::string, std::string> part_of_relation;
  const auto relations = archive.parse(kRelationsPart);
  for (const pugi::xml_node relation : relations->document_element().children()) {
    const std::string part = part_of_target(attribute_of(relation, "Target"));
    part_of_relation[attribute_of(relation, "Id")] = part;
    if (attribute_of(relation, "Type").ends_with("/sharedStrings")) {
      const auto strings = archive.parse(part);
      for (const pugi::xml_node item : strings->document_element().children()) {
        if (local_name(item.name()) == "si") {
          shared_strings_.push_back(text_of(item));
        }
      }
    }
  }
  const auto workbook = archive.parse(kWorkbookPart);
  for (const pugi::xml_node sheet : child_of(workbook->document_element(), "sheets").children()) {
    const auto found = part_of_relation.find(relation_of(sheet));
    if (found != part_of_relation.end()) {
      const std::string name = attribute_of(sheet, "name");
      if (part_of_sheet_.emplace(name, found->second).second) sheets_.push_back(name);
    }
  }
}

std::string Workbook::place_of(const std::string& sheet,
                               std::size_t row,
                               std::size_t column) const {
  return fmt::format("{}: sheet '{}', cell {}{}", path_.string(), sheet, letters_of(column), row);
}

void Workbook::for_each_row(const std::string& sheet,
                            const std::function<void(SheetRow&)>& take) const {
  const auto part = part_of_sheet_.find(sheet);
  if (part == part_of_sheet_.end()) {
    throw DataError(fmt::format("{}: expected a sheet '{}', found {}", path_.string(), sheet,
                                sheets_.empty() ? "no sheet" : some_of(sheets_)));
  }
  const auto document = Archive(path_).parse(part->second);
  std::size_t number = 0;
  for (const pugi::xml_node row : child_of(document->document_element(), "sheetData").children()) {
    if (local_name(row.name()) != "row") {
      continue;
    }
    const std::string given = attribute_of(row, "r");
    const std::optional<std::size_t> stated = given.empty() ? number + 1 : to_position(given);
    if (!stated || *stated <= number || *stated > limits::kWorkbookRows) {
      throw DataError(
          fmt::format("{}: sheet '{}': expected rows numbered from {} to {}, found row {}",
                      path_.string(), sheet, number + 1, limits::kWorkbookRows, shown(given)));
    }
    number = *stated;
    const std::function<std::string(std::size_t)> place = [&](std::size_t column) {
      return place_of(sheet, number, column);
    };
    SheetRow taken{number, RowReader(shared_strings_, place).read(row)};
    if (std::any_of(taken.cells.begin(), taken.cells.end(),
                    [](const std::string& cell) { return !cell.empty(); })) {
      take(taken);
    }
  }
}

}  // namespace labelprobe::files
