#include "data/tasks/task_tables.h"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <glob.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/python/text.h"

#include "data/reading/records.h"

namespace labelprobe::data {

namespace fs = std::filesystem;

namespace {

// A table without a header gets the names of the task file.
void name_columns(files::Table& table, const TaskFile& task) {
  if (task.header.empty()) return;
  const files::TableFormat format = task.format ? *task.format : files::table_format_of(table.name);
  if (format != files::TableFormat::Csv && format != files::TableFormat::Tsv) {
    throw ConfigError(fmt::format("{}: header is for csv and tsv; the columns of {} have names",
                                  task.path.string(), table.name));
  }
  if (table.columns.size() != task.header.size()) {
    throw DataError(fmt::format("{}:1: expected {} fields, as {} names in header, found {}",
                                table.name, task.header.size(), task.path.string(),
                                table.columns.size()));
  }
  std::vector<nlohmann::json> first(table.columns.begin(), table.columns.end());
  table.rows.insert(table.rows.begin(), std::move(first));
  table.places.insert(table.places.begin(), table.name + ":1");
  table.columns = task.header;
}

// What the paths of a task file start from.
fs::path folder_of(const TaskFile& task, const DatasetOptions& options) {
  return options.root_dir.empty() ? task.path.parent_path() : options.root_dir;
}

}  // namespace

TaskTables::TaskTables(const TaskFile& task,
                       const DatasetOptions& options,
                       std::vector<std::string>& notes)
    : task_(task), options_(options), folder_(folder_of(task, options)), notes_(notes) {}

std::vector<fs::path> TaskTables::expand(const std::string& relative,
                                         const std::string& place) const {
  const fs::path pattern = folder_ / relative;
  std::error_code error;
  if (pattern.string().find_first_of("*?") == std::string::npos || fs::exists(pattern, error)) {
    return {pattern};
  }
  glob_t found{};
  const int status = glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<fs::path> paths;
  if (status == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  if (paths.empty()) {
    throw DataError(
        fmt::format("{}: expected files that '{}' names, found none", place, pattern.string()));
  }
  return paths;
}

files::Table TaskTables::read(const fs::path& path, files::TableOptions how) {
  how.swallowed = swallowed_rows(options_);
  how.bad_bytes = task_.bad_bytes;
  files::Table table = files::read_table(path, how);
  notes_.insert(notes_.end(), table.notes.begin(), table.notes.end());
  return table;
}

void TaskTables::prepare(const std::vector<TableStep>& steps, files::Table& table) {
  const OpenTable open = [&](const std::string& path, const std::string& sheet) {
    files::TableOptions how;
    how.sheet = sheet;
    return read(folder_ / path, std::move(how));
  };
  do_steps(steps, open, table, notes_);
}

files::Table TaskTables::read_items(const fs::path& path) {
  files::TableOptions how;
  how.format = task_.format;
  how.delimiter = task_.delimiter;
  how.sheet = task_.sheet;
  files::Table table = read(path, std::move(how));
  bring_into_form(task_.form, table);
  name_columns(table, task_);
  if (table.rows.empty()) throw DataError(path.string() + ": expected rows, found none");
  prepare(task_.steps, table);
  return table;
}

files::Table TaskTables::read_votes(const fs::path& path, const std::string& sheet) {
  files::TableOptions how;
  how.sheet = sheet;
  files::Table table = read(path, std::move(how));
  prepare(task_.votes->steps, table);
  return table;
}

std::vector<std::string> read_label_names(const TaskFile& task, const DatasetOptions& options) {
  const LabelFile& form = *task.label_file;
  const files::MappedFile file =
      files::open_file(folder_of(task, options) / form.file, "the names of the labels");
  files::check_utf8(file);
  std::vector<std::string> names;
  for (const std::string& line : files::read_lines(file)) {
    for (std::size_t begin = 0; begin <= line.size();) {
      const std::size_t end = std::min(line.find(form.separator, begin), line.size());
      const std::string_view part = std::string_view(line).substr(begin, end - begin);
      if (const std::string_view name = python::strip(part); !name.empty())
        names.emplace_back(name);
      begin = end + form.separator.size();
    }
  }
  if (names.empty()) {
    throw DataError(fmt::format("{}: expected names of labels, found none ({})",
                                file.path().string(), form.place));
  }
  return names;
}

}  // namespace labelprobe::data
