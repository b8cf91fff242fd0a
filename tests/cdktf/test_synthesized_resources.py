"""The resources in a synthesized stack equal the resources that Terraform would create."""

from synthesized.resources import Instance, Resources

LEVEL = '${contains(keys(data.external.restricted.result), "group_01") ? "CAN_ATTACH_TO" : "CAN_RESTART"}'


def test_for_each_becomes_one_resource_per_key():
    staff = {"for_each": {"a@x": "a@x", "$${b}": "$${b}"}, "user_name": "${each.key}"}
    assert Resources({"data": {"databricks_user": {"staff": staff}}}).instances("data", "databricks_user") == [
        Instance('data.databricks_user.staff["a@x"]', {"user_name": "a@x"}),
        Instance('data.databricks_user.staff["${b}"]', {"user_name": "${b}"}),
    ]


def test_references_in_values_are_resolved():
    group = {"for_each": {"one": {"title": "One"}}, "name": "${each.value.title}", "all": "${each.value}"}
    found = Resources({"resource": {"databricks_group": {"g": group}}}).instances("resource", "databricks_group")
    assert [one.arguments for one in found] == [{"name": "One", "all": {"title": "One"}}]


def test_a_reference_is_resolved_once_its_attribute_is_set():
    member = {"group_id": "${databricks_group.g.id}", "member_id": '${data.databricks_user.staff["a@x"].id}'}
    resources = Resources({"resource": {"databricks_group_member": {"m": member}}})
    (before,) = resources.instances("resource", "databricks_group_member")
    assert before.arguments == member
    resources.set_attributes(Instance("databricks_group.g", {}), id="7")
    resources.set_attributes(Instance('data.databricks_user.staff["a@x"]', {}), id="8")
    (after,) = resources.instances("resource", "databricks_group_member")
    assert after.arguments == {"group_id": "7", "member_id": "8"}


def test_a_new_lab_has_no_restrictions():
    rights = {"access_control": [{"permission_level": LEVEL}], "text": "$${a} %%{b}", "count": 2}
    (found,) = Resources({"resource": {"t": {"r": rights}}}).instances("resource", "t")
    assert found.arguments == {"access_control": [{"permission_level": "CAN_RESTART"}], "text": "${a} %{b}", "count": 2}
