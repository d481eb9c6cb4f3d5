#include "app/options/option.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::app {
namespace {

enum class Format { List, Json };

Format parse_format(const std::string& name) {
  if (name == "json") {
    return Format::Json;
  }
  const std::string known[] = {"json"};
  throw ConfigError(unknown_choice("format", name, known));
}

struct TriedSettings {
  std::string root;
  std::filesystem::path file;
  std::optional<int> limit;
  int n_shots = 0;
  double rate = 0;
  bool is_dry = false;
  bool is_clean = false;
  std::vector<std::string> splits;
  Format format = Format::List;
  int n_again = 0;
};

void declare(OptionList& options, TriedSettings& settings) {
  options.begin_group("Data");
  options.add(settings.root,
              {.name = "root_dir", .help = "Folder of the data", .is_required = true});
  options.add(settings.file, {.name = "file", .is_comparable = false});
  options.add(settings.limit, {.name = "limit", .help = "Only so many", .least = 1});
  options.begin_group("Prompts");
  options.add(settings.n_shots, {.name = "shot", .fallback = "5", .least = 0, .name_priority = 1});
  options.also(settings.n_again);
  options.add(settings.rate, {.name = "rate", .fallback = "0.5"});
  options.add(settings.is_dry, {.name = "dry_run", .is_logged = false});
  options.add_boolean(settings.is_clean, {.name = "clean", .fallback = "false"});
  options.add(settings.splits, {.name = "splits"});
  options.add_parsed(settings.format, {.name = "format"}, parse_format);
  options.accept(OptionKind::Flag, {.name = "accelerate", .idle_because = "there is no device"});
  options.refuse(OptionKind::Integer, {.name = "max_length", .help = "Not supported: no cutting"});
}

GivenValues given_with_root(const std::map<std::string, std::vector<std::string>>& values) {
  GivenValues made = {{"root_dir", {{"data"}, "--root-dir"}}};
  for (const auto& [name, texts] : values) {
    made[name] = {texts, flag_of(name)};
  }
  return made;
}

struct Filled {
  TriedSettings settings;
  OptionList options;
  explicit Filled(const std::map<std::string, std::vector<std::string>>& values) {
    declare(options, settings);
    options.fill(given_with_root(values));
  }
};

}  // namespace

TEST_CASE("A list whose values have commas is the list without them, and logged so", "[unit]") {
  std::vector<record::ParamValue> logged;
  for (const std::vector<std::string>& values :
       {std::vector<std::string>{"a,b"}, {"a", "b"}, {"a,,b,", "a"}}) {
    std::vector<std::string> names;
    OptionList options;
    options.add(names, {.name = "names", .has_commas = true});
    options.fill({{"names", {values, "--names"}}});
    CHECK(names == std::vector<std::string>{"a", "b"});
    logged.push_back(options.params().at(0).value);
  }
  CHECK(logged[0] == logged[1]);
  CHECK(logged[0] == logged[2]);
  CHECK(describe(logged[0]) == "a b");
}

TEST_CASE("Fields are filled with what is given, and with the defaults", "[unit]") {
  const Filled few({});
  CHECK(few.settings.root == "data");
  CHECK(few.settings.file.empty());
  CHECK_FALSE(few.settings.limit);
  CHECK(few.settings.n_shots == 5);
  CHECK(few.settings.n_again == 5);
  CHECK(few.settings.rate == 0.5);
  CHECK_FALSE(few.settings.is_clean);
  CHECK(few.settings.format == Format::List);

  const Filled many({{"file", {"a/b"}},
                     {"limit", {"7"}},
                     {"shot", {"0"}},
                     {"rate", {"1e-2"}},
                     {"dry_run", {"true"}},
                     {"clean", {"true"}},
                     {"splits", {"dev", "test"}},
                     {"format", {"json"}},
                     {"accelerate", {"true"}}});
  CHECK(many.settings.file == "a/b");
  CHECK(many.settings.limit == 7);
  CHECK(many.settings.n_shots == 0);
  CHECK(many.settings.rate == 0.01);
  CHECK(many.settings.is_dry);
  CHECK(many.settings.is_clean);
  CHECK(many.settings.splits == std::vector<std::string>{"dev", "test"});
  CHECK(many.settings.format == Format::Json);
  CHECK(many.options.describe_idle() ==
        std::vector<std::string>{"--accelerate: accelerate changes nothing: there is no device"});
  CHECK(few.options.describe_idle().empty());
}

TEST_CASE("An explicitly unset option has its default", "[unit]") {
  const Filled filled({{"shot", {}}, {"limit", {}}});
  CHECK(filled.settings.n_shots == 5);
  CHECK_FALSE(filled.options.is_given(filled.settings.n_shots));
}

TEST_CASE("What was given is logged in the order of the declaration", "[unit]") {
  const std::vector<record::Param> params =
      Filled({{"dry_run", {"true"}}, {"splits", {"dev"}}, {"format", {"json"}}}).options.params();
  std::string text;
  for (const record::Param& param : params) {
    text += param.name + "=" + describe(param.value) + (param.is_comparable ? " " : "! ");
  }
  CHECK(text ==
        "root_dir='data' file=-! limit=- shot=5 rate=0.5 clean=false splits=dev format='json' "
        "accelerate=false max_length=- ");
  CHECK(params[3].name_priority == 1);
  CHECK_FALSE(params[0].name_priority);
}

TEST_CASE("A mistake is told with its place, what was expected and what was found", "[unit]") {
  const auto filling = [](const std::map<std::string, std::vector<std::string>>& values) {
    return [values] { Filled filled(values); };
  };
  const auto says = [&](const std::map<std::string, std::vector<std::string>>& values,
                        const std::string& message) {
    CHECK_THROWS_WITH(filling(values)(), message);
  };
  says({{"shot", {"ten"}}}, "--shot: expected one integer, found 'ten'");
  says({{"shot", {"1", "2"}}}, "--shot: expected one integer, found '1 2'");
  says({{"rate", {"inf"}}}, "--rate: expected one number, found 'inf'");
  says({{"clean", {"yes"}}}, "--clean: expected true or false, found 'yes'");
  says({{"limit", {"0"}}}, "--limit: expected an integer of at least 1, found 0");
  says({{"limit", {"2147483648"}}},
       "--limit: expected an integer of at most 2147483647, found 2147483648");
  says({{"format", {"jsn"}}}, "--format: unknown format 'jsn'; did you mean 'json'? (known: json)");
  says({{"max_length", {"5"}}}, "--max-length: max_length: Not supported: no cutting");
  says({{"root_dir", {}}}, "--root-dir is required: Folder of the data");

  TriedSettings settings;
  OptionList options;
  declare(options, settings);
  GivenValues from_file = given_with_root({});
  from_file["shot"] = {{"ten"}, "c.yaml:3"};
  CHECK_THROWS_WITH(options.fill(from_file), "c.yaml:3: shot: expected one integer, found 'ten'");
}

TEST_CASE("What depends on several options is done when all are filled", "[unit]") {
  TriedSettings settings;
  OptionList options;
  declare(options, settings);
  options.afterwards([&] {
    if (options.is_given_as_flag(settings.limit) && settings.n_shots == 0) {
      throw ConfigError(options.place(settings.limit) + ": needs shots");
    }
    options.make_incomparable(settings.root);
  });
  options.fill(given_with_root({{"limit", {"3"}}}));
  CHECK_FALSE(options.params()[0].is_comparable);
  CHECK_THROWS_WITH(options.fill(given_with_root({{"limit", {"3"}}, {"shot", {"0"}}})),
                    "--limit: needs shots");
}

}  // namespace labelprobe::app
