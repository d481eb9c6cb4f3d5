#include "labelprobe/analysis/calibration_file.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/json.h"

namespace labelprobe::analysis {

namespace {

using Json = nlohmann::ordered_json;
using files::JsonView;
using Scope = ParameterInfo::Scope;

constexpr std::int64_t kFormat = 1;
constexpr std::int64_t kMostSeed = std::int64_t{1} << 53;  // what every JSON reader keeps

std::string fingerprint_of(const std::set<std::string>& ids) {
  Fingerprint fingerprint;
  for (const std::string& id : ids) fingerprint.add(id);
  return fingerprint.hex();
}

std::string kind_name(LabelKind kind) {
  return kind == LabelKind::MultiLabel ? "multi-label" : "single-label";
}

// --- Writing ---

Json parameters_json(const CalibrationParameters& parameters, const FittedCalibration& fitted) {
  Json shared = Json::object();
  Json labels = Json::object();
  const std::vector<std::string>& names = fitted.label_set.names();
  for (const ParameterInfo& info : fitted.calibrator->parameters) {
    const std::string name(info.name);
    if (info.scope == Scope::AllLabels) {
      shared[name] = parameters.numbers.at(name).front();
      continue;
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      labels[names[i]][name] = info.scope == Scope::Curve ? Json(parameters.curves.at(name)[i])
                                                          : Json(parameters.numbers.at(name)[i]);
    }
  }
  return {{"shared", shared}, {"labels", labels}};
}

Json or_null(const std::optional<double>& number) {
  return number ? Json(*number) : Json();
}

Json loss_json(const std::optional<CalibrationLoss>& loss) {
  if (!loss) return nullptr;
  return {{"metric", "nll"},
          {"before", loss->before},
          {"after", loss->after},
          {"held_out", or_null(loss->held_out)},
          {"base_rate", loss->base_rate},
          {"base_rate_held_out", or_null(loss->base_rate_held_out)}};
}

// --- Reading ---

// Throws for a key that is none of `known`.
void check_keys(const JsonView& view, const std::vector<std::string>& known) {
  for (const auto& [key, value] : view.members()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      view.fail(unknown_choice("key", key, known));
    }
  }
}

std::vector<std::string> strings_of(const JsonView& view) {
  std::vector<std::string> texts;
  for (const JsonView& item : view.items()) texts.push_back(item.string());
  return texts;
}

std::set<std::string> ids_of(const JsonView& view) {
  std::set<std::string> ids;
  for (const JsonView& item : view.items()) {
    if (!ids.insert(item.string()).second) item.fail("the id stands here a second time");
  }
  return ids;
}

double number_of(const JsonView& view, const ParameterInfo& info) {
  const double number = view.number();
  if (!(number >= info.low && number <= info.high)) {
    view.fail_expected(fmt::format("a number from {} to {}", info.low, info.high),
                       fmt::format("{}", number));
  }
  return number;
}

std::vector<double> curve_of(const JsonView& view, const ParameterInfo& info) {
  std::vector<double> curve;
  for (const JsonView& item : view.items()) {
    const double number = number_of(item, info);
    if (!curve.empty() && number < curve.back()) item.fail("expected numbers that do not fall");
    curve.push_back(number);
  }
  if (curve.empty()) view.fail_expected("one number or more", "none");
  return curve;
}

// Curves of a label are the coordinates of the same points.
void check_points(const JsonView& view, const CalibrationParameters& found, std::size_t label) {
  if (found.curves.empty()) return;
  const std::size_t n = found.curves.begin()->second[label].size();
  for (const auto& [name, curves] : found.curves) {
    if (curves[label].size() == n) continue;
    view.fail(fmt::format("expected lists of one length, found {} and {} numbers", n,
                          curves[label].size()));
  }
}

CalibrationParameters read_parameters(const JsonView& view, const FittedCalibration& fitted) {
  check_keys(view, {"shared", "labels"});
  std::vector<std::string> shared;
  std::vector<std::string> own;
  CalibrationParameters found;
  for (const ParameterInfo& info : fitted.calibrator->parameters) {
    (info.scope == Scope::AllLabels ? shared : own).emplace_back(info.name);
    if (info.scope == Scope::AllLabels) {
      found.numbers[std::string(info.name)] = {number_of(view.at("shared").at(info.name), info)};
    }
  }
  check_keys(view.at("shared"), shared);
  const std::vector<std::string>& names = fitted.label_set.names();
  check_keys(view.at("labels"), own.empty() ? std::vector<std::string>{} : names);
  for (std::size_t i = 0; i < names.size() && !own.empty(); ++i) {
    const JsonView label = view.at("labels").at(names[i]);
    check_keys(label, own);
    for (const ParameterInfo& info : fitted.calibrator->parameters) {
      const std::string name(info.name);
      if (info.scope == Scope::EachLabel) {
        found.numbers[name].push_back(number_of(label.at(name), info));
      } else if (info.scope == Scope::Curve) {
        found.curves[name].push_back(curve_of(label.at(name), info));
      }
    }
    check_points(label, found, i);
  }
  return found;
}

LabelSet read_labels(const JsonView& root) {
  const std::string kinds[] = {"multi-label", "single-label"};
  const bool is_multi = root.at("label_kind").choice("label kind", kinds) == 0;
  const JsonView labels = root.at("labels");
  try {
    return {strings_of(labels), is_multi ? LabelKind::MultiLabel : LabelKind::SingleLabel};
  } catch (const DataError& error) {
    const std::string message = error.what();
    if (message.starts_with(labels.place())) throw;
    labels.fail(message);
  }
}

const Calibrator& read_calibrator(const JsonView& view, LabelKind kind) {
  try {
    return find_calibrator(view.string(), kind);
  } catch (const ConfigError& error) {
    view.fail(error.what());
  }
}

CalibrationSource read_source(const JsonView& root) {
  const JsonView view = root.at("source");
  check_keys(view, {"estimates", "model", "estimator", "answer", "content_free", "splits"});
  return {root.at("program").string(),      root.at("task").string(),
          view.at("estimates").string(),    view.at("model").string(),
          view.at("estimator").string(),    view.at("answer").string(),
          view.at("content_free").string(), strings_of(view.at("splits"))};
}

// Throws unless the folds share out the examples.
void read_folds(const JsonView& view, FittedCalibration& fitted) {
  std::set<std::string> dealt;
  for (const JsonView& item : view.items()) {
    check_keys(item, {"held_out", "parameters"});
    CalibrationFold fold;
    fold.held_out = ids_of(item.at("held_out"));
    for (const std::string& id : fold.held_out) {
      if (!fitted.example_ids.contains(id)) {
        item.at("held_out").fail(fmt::format("the id '{}' is not one of example_ids", id));
      }
      if (!dealt.insert(id).second) {
        item.at("held_out").fail(fmt::format("the id '{}' is in another fold too", id));
      }
    }
    fold.parameters = read_parameters(item.at("parameters"), fitted);
    fitted.folds.push_back(std::move(fold));
  }
  if (fitted.folds.size() == 1) view.fail_expected("no folds, or two or more", "1");
  if (!fitted.folds.empty() && dealt.size() != fitted.example_ids.size()) {
    view.fail(fmt::format("expected each of the {} examples in one fold, found {} of them",
                          fitted.example_ids.size(), dealt.size()));
  }
}

void read_examples(const JsonView& root, FittedCalibration& fitted) {
  const JsonView view = root.at("fitted_on");
  check_keys(view, {"n_examples", "fingerprint", "reads_votes", "seed"});
  fitted.example_ids = ids_of(root.at("example_ids"));
  fitted.has_read_votes = view.at("reads_votes").boolean();
  fitted.seed = view.at("seed").integer(-kMostSeed, kMostSeed);
  if (fitted.has_read_votes && fitted.calibrator->needs != CalibratorNeeds::Shares) {
    view.at("reads_votes")
        .fail_expected(fmt::format("false, as '{}' reads none", fitted.calibrator->name), "true");
  }
  const auto n = static_cast<std::int64_t>(fitted.example_ids.size());
  view.at("n_examples").integer(n, n);
  const std::string wanted = fingerprint_of(fitted.example_ids);
  if (view.at("fingerprint").string() != wanted) {
    view.at("fingerprint")
        .fail_expected(fmt::format("'{}', that of example_ids", wanted),
                       fmt::format("'{}'", view.at("fingerprint").string()));
  }
}

std::optional<CalibrationLoss> read_loss(const JsonView& view) {
  if (view.is_null()) return std::nullopt;
  check_keys(view, {"metric", "before", "after", "held_out", "base_rate", "base_rate_held_out"});
  const std::string metrics[] = {"nll"};
  view.at("metric").choice("metric", metrics);
  CalibrationLoss loss;
  loss.before = view.at("before").number();
  loss.after = view.at("after").number();
  if (view.has("held_out")) loss.held_out = view.at("held_out").number();
  loss.base_rate = view.at("base_rate").number();
  if (view.has("base_rate_held_out")) {
    loss.base_rate_held_out = view.at("base_rate_held_out").number();
  }
  return loss;
}

}  // namespace

void write_calibration(std::ostream& out, const FittedCalibration& fitted) {
  const CalibrationSource& source = fitted.source;
  Json folds = Json::array();
  for (const CalibrationFold& fold : fitted.folds) {
    folds.push_back(
        {{"held_out", fold.held_out}, {"parameters", parameters_json(fold.parameters, fitted)}});
  }
  const Json json = {{"format", kFormat},
                     {"calibrator", fitted.calibrator->name},
                     {"program", source.program},
                     {"task", source.task},
                     {"label_kind", kind_name(fitted.label_set.kind())},
                     {"labels", fitted.label_set.names()},
                     {"source",
                      {{"estimates", source.estimates},
                       {"model", source.model},
                       {"estimator", source.estimator},
                       {"answer", source.answer},
                       {"content_free", source.content_free},
                       {"splits", source.splits}}},
                     {"fitted_on",
                      {{"n_examples", fitted.example_ids.size()},
                       {"fingerprint", fingerprint_of(fitted.example_ids)},
                       {"reads_votes", fitted.has_read_votes},
                       {"seed", fitted.seed}}},
                     {"loss", loss_json(fitted.loss)},
                     {"parameters", parameters_json(fitted.parameters, fitted)},
                     {"folds", folds},
                     {"example_ids", fitted.example_ids}};
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

FittedCalibration read_calibration(const std::filesystem::path& path) {
  const JsonView root = files::load_json_object(path, ErrorKind::Data);
  root.at("format").integer(kFormat, kFormat);
  check_keys(root, {"format", "calibrator", "program", "task", "label_kind", "labels", "source",
                    "fitted_on", "loss", "parameters", "folds", "example_ids"});
  FittedCalibration fitted;
  fitted.label_set = read_labels(root);
  fitted.calibrator = &read_calibrator(root.at("calibrator"), fitted.label_set.kind());
  fitted.source = read_source(root);
  fitted.loss = read_loss(root.find("loss"));
  read_examples(root, fitted);
  fitted.parameters = read_parameters(root.at("parameters"), fitted);
  read_folds(root.at("folds"), fitted);
  return fitted;
}

}  // namespace labelprobe::analysis
