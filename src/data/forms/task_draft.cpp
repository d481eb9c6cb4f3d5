#include "labelprobe/data/task_draft.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/compressed.h"
#include "labelprobe/files/hub_cache.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/files/table.h"

#include "data/forms/column_profile.h"
#include "data/forms/guessed_task.h"
#include "data/forms/hub_task.h"
#include "data/forms/known_tables.h"
#include "data/forms/task_text.h"

namespace labelprobe::data {

namespace fs = std::filesystem;

namespace {

// "org/name:configuration" in its parts.
struct Subject {
  explicit Subject(const std::string& text) : whole(text), name(text) {
    std::error_code error;
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || fs::exists(text, error)) return;
    name = text.substr(0, colon);
    config = text.substr(colon + 1);
  }

  bool is_folder() const {
    std::error_code error;
    return fs::is_directory(name, error);
  }
  bool is_file() const {
    std::error_code error;
    return config.empty() && fs::exists(name, error) && !is_folder();
  }
  bool is_of_hub() const {
    const files::HubName hub(name);
    return std::count(hub.name.begin(), hub.name.end(), '/') == 1 && files::is_hub_name(hub.name) &&
           !files::find_table_format(hub.name);
  }

  std::string whole;
  std::string name;
  std::string config;
};

// The folder of a data set in the cache.
fs::path cached_folder(const std::string& name) {
  const files::HubName asked(name);
  const files::HubRepository repository(files::HubRepository::Kind::Dataset, asked.name);
  if (repository.is_empty()) {
    throw ConfigError(fmt::format(
        "data set '{}': no such file or folder, and not in the Hugging Face cache (looked for {}); "
        "fetch it with `{}`",
        name, repository.folder().string(), repository.fetching_command(asked.revision)));
  }
  return repository.snapshot(asked.revision.empty() ? repository.main()
                                                    : repository.find(asked.revision));
}

std::string head(std::string_view form, const std::string& subject) {
  return fmt::format("# {}: {}\n", subject, form);
}

// What stands between the columns of a CSV file, as its first line has it: spreadsheets write
// semicolons where the comma is the decimal point. '\0' where it is what the format says.
char delimiter_of(const fs::path& path) {
  if (files::find_table_format(path) != files::TableFormat::Csv) return '\0';
  const files::UnpackedFile file(path, "a table");
  const std::string_view header = file.text().substr(0, file.text().find('\n'));
  const auto n_of = [&](char c) { return std::count(header.begin(), header.end(), c); };
  if (n_of(';') > n_of(',')) return ';';
  return n_of('\t') > n_of(',') ? '\t' : '\0';
}

std::string delimiter_line(char delimiter) {
  if (delimiter == '\0') return "";
  return fmt::format("delimiter: \"{}\"\n", delimiter == '\t' ? "\\t" : std::string(1, delimiter));
}

// The rows of all tables that have the columns of the first.
files::Table read_all(const SplitTables& tables, char delimiter, TableForm* form) {
  files::Table all;
  files::TableOptions how;
  how.delimiter = delimiter;
  for (const auto& [split, paths] : tables) {
    for (const fs::path& path : paths) {
      files::Table table = files::read_table(path, how);
      if (all.columns.empty()) *form = form_of(table);
      bring_into_form(*form, table);
      if (all.columns.empty()) {
        all = std::move(table);
      } else if (table.columns == all.columns) {
        all.rows.insert(all.rows.end(), table.rows.begin(), table.rows.end());
        all.places.insert(all.places.end(), table.places.begin(), table.places.end());
      }
    }
  }
  return all;
}

bool has_splits(const SplitTables& tables) {
  return tables.size() > 1 || !tables.front().first.empty();
}

// What demonstrations and questions are drawn from where no split is called test.
std::string splits_line(const SplitTables& tables) {
  const auto has = [&](std::string_view split) {
    return std::any_of(tables.begin(), tables.end(),
                       [&](const auto& table) { return table.first == split; });
  };
  return !has("test") && has("validation") ? "test_splits: [validation]\n" : "";
}

struct DraftSource {
  std::string name;
  SplitTables tables;
  std::vector<Feature> features;
  std::string_view form;  // where the tables are no files of one's own
};

DraftSource find_source(const Subject& subject) {
  if (subject.is_file()) {
    const fs::path path = subject.name;
    files::table_format_of(path);
    SplitTables tables = tables_beside(path);
    return {set_name(path), std::move(tables), {}, ""};
  }
  const bool is_folder = subject.is_folder();
  if (!is_folder && !subject.is_of_hub()) {
    throw ConfigError(fmt::format(
        "{}: expected a table, a folder with tables or the name of a data set of the hub, "
        "org/name, found no such file or folder",
        subject.whole));
  }
  const fs::path folder = is_folder ? fs::path(subject.name) : cached_folder(subject.name);
  const std::string name = is_folder ? subject.name : files::HubName(subject.name).name;
  HubTask task = find_hub_task(folder, name, subject.config);
  const fs::path whole = fs::absolute(fs::path(name) / ".").lexically_normal().parent_path();
  const std::string set = set_name(whole.filename());
  return {task.config.empty() ? set : set + "_" + task.config, std::move(task.tables),
          std::move(task.features), "a Hugging Face data set"};
}

// The features that the first of the tables has in its metadata.
std::vector<Feature> features_of_tables(const SplitTables& tables) {
  const fs::path& first = tables.front().second.front();
  if (files::find_table_format(first) != files::TableFormat::Parquet) return {};
  files::TableOptions how;
  how.rows = files::TableRows::None;
  const files::Table table = files::read_table(first, how);
  const auto found = table.metadata.find("huggingface");
  return found == table.metadata.end() ? std::vector<Feature>()
                                       : features_in_metadata(found->second);
}

TaskDraft draft(const Subject& subject, const fs::path& folder, bool may_guess) {
  DraftSource source = find_source(subject);
  if (source.features.empty()) source.features = features_of_tables(source.tables);
  const std::string top =
      fmt::format("name: {}\n{}", yaml_text(source.name), files_line(source.tables, folder));
  const std::string end = splits_line(source.tables);
  if (!source.features.empty()) {
    const std::string form =
        source.form.empty() ? "a Parquet file with features" : std::string(source.form);
    return {
        form, false,
        head(form, subject.whole) + top + describe_features(source.features, subject.whole) + end};
  }
  TableForm form = TableForm::Plain;
  const char delimiter = delimiter_of(source.tables.front().second.front());
  const files::Table table = read_all(source.tables, delimiter, &form);
  if (form != TableForm::Plain) {
    return {std::string(title_of(form)), false,
            head(title_of(form), subject.whole) + top + delimiter_line(delimiter) +
                describe(form, table, has_splits(source.tables)) + end};
  }
  if (!may_guess && source.form.empty()) {
    throw ConfigError(fmt::format(
        "{}: expected a task file, which says what the columns of the table mean ({}); `labelprobe "
        "init {} --out {}.yaml` drafts one",
        subject.whole, fmt::join(table.columns, ", "), subject.whole, source.name));
  }
  const std::string about = fmt::format(
      "# {}: a draft, made of a look at {}. Check every line, then: labelprobe data FILE.yaml\n#\n",
      subject.whole, counted(table.rows.size(), "row"));
  return {std::string(source.form.empty() ? "a table" : source.form), true,
          about + describe_columns(table) + "\n" + top + delimiter_line(delimiter) +
              guess_task(table, has_splits(source.tables)) + end};
}

}  // namespace

bool is_data_without_task(const std::string& text) {
  if (is_yaml_file(text)) return false;
  const Subject subject(text);
  // A folder may have the name of a data set that is known.
  const bool is_path = subject.name.find('/') != std::string::npos;
  return (subject.is_file() && (is_path || fs::path(text).has_extension())) ||
         (subject.is_folder() && is_path) || subject.is_of_hub();
}

TaskDraft known_task(const std::string& subject) {
  return draft(Subject(subject), {}, /*may_guess=*/false);
}

TaskDraft draft_task(const std::string& subject, const fs::path& folder) {
  return draft(Subject(subject), folder, /*may_guess=*/true);
}

}  // namespace labelprobe::data
